from hypothesis import settings

# The first call of a torch operation, or any call on a busy machine, may take longer than
# hypothesis allows.
settings.register_profile("course", deadline=None)
settings.load_profile("course")
