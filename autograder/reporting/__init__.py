"""Report on a class: the class report, the grades file, and what is alike across submissions."""
