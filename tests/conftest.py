from hypothesis import settings

# The first call of a torch operation, or a busy machine, takes longer than hypothesis allows.
settings.register_profile("course", deadline=None)
settings.load_profile("course")
