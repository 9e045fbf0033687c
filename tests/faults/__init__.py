"""What the clients do on their worst day, tried over real sockets: `make faults`."""
