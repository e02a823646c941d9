"""What can be done from the command line: one module per subject, joined in `mobility.cli`."""
