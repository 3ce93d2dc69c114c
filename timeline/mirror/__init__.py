"""This room is where timelines of several publishers meet: witnesses are asked to sign."""
