"""Make the students' version of an assignment, and check that it gives nothing away."""
