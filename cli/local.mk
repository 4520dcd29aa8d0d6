## the command-line program
