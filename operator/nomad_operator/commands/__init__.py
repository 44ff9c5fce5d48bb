"""What each command of the command line does; one module a group, imported when it is needed."""
