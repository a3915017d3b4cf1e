"""Say how a class did: the report, the grades file, and what is alike across submissions."""
