"""How the processes of a data folder talk: frames over a socket, many questions over one line, what is handed on."""
