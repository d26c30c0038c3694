"""What `wushe` can be told to do, one module for each command."""
