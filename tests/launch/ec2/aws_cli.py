"""The AWS CLI, loaded once: a start takes half a second, and the tests start it some hundred times.

    aws_cli.py SOCKET            loads the CLI, then runs each client's command in a fork of itself
    aws_cli.py SOCKET ARGUMENTS  the client: sends arguments, folder and streams, and ends with the
                                 command's code
"""

import json
import os
import socket
import sys


def serve(path):
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    streams = os.dup(1), os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1), os.dup2(nothing, 2)
    for command in (
        "ec2 describe-instances", "ec2 describe-volumes", "cloudformation describe-stacks",
        "sts get-caller-identity",
    ):
        driver.main(command.split())
    os.dup2(streams[0], 1), os.dup2(streams[1], 2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        while True:
            client, _ = server.accept()
            while True:  # children that have ended
                try:
                    if os.waitpid(-1, os.WNOHANG)[0] == 0:
                        break
                except ChildProcessError:
                    break
            if os.fork() == 0:
                answer(driver, client)
            client.close()


def answer(driver, client):
    request, streams, _, _ = socket.recv_fds(client, 1 << 20, 3)
    folder, arguments = json.loads(request)
    os.chdir(folder)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    try:
        code = driver.main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush(), sys.stderr.flush()
    client.send(bytes([code or 0]))
    os._exit(0)


def ask(path, arguments):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [json.dumps([os.getcwd(), arguments]).encode()], [0, 1, 2])
        return (server.recv(1) or b"\xff")[0]


if len(sys.argv) == 2:
    serve(sys.argv[1])
else:
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
