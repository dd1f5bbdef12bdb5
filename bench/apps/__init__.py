"""What is compared: servers over the same tables that give the same answers."""
