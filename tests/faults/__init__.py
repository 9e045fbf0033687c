"""The clients under simulated faults, over real sockets: `make faults`."""
