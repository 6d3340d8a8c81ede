"""The AWS CLI, loaded once: a start takes half a second, and the tests start it some hundred times.

    aws_cli.py SOCKET            loads the CLI, then runs each client's command in a fork of itself
    aws_cli.py SOCKET ARGUMENTS  the client: sends arguments, folder and streams, and ends with the
                                 command's code
"""

# The client imports nothing else, which would take longer than its work.
import _socket as socket
import os
import sys

# One command of each service that the tests use, so that its tables are in memory.
COMMANDS = (
    "cloudformation describe-stacks", "ec2 describe-instances", "iam list-roles",
    "scheduler list-schedules", "service-quotas list-services", "ssm describe-parameters",
    "sts get-caller-identity",
)


def serve(path):
    import gc
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    streams = os.dup(1), os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1), os.dup2(nothing, 2)
    for command in COMMANDS:
        driver.main(command.split())
    os.dup2(streams[0], 1), os.dup2(streams[1], 2)
    # A collection in a fork would copy all memory.
    gc.collect(), gc.freeze(), gc.disable()
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    while True:
        client = socket.socket(fileno=server._accept()[0])
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
    request, ancillary, _, _ = client.recvmsg(1 << 20, socket.CMSG_SPACE(3 * 4))
    folder, *arguments = os.fsdecode(request).split("\0")
    os.chdir(folder)
    streams = ancillary[0][2]
    for number in range(3):
        os.dup2(int.from_bytes(streams[4 * number:4 * number + 4], sys.byteorder), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    try:
        code = driver.main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush(), sys.stderr.flush()
    client.send(bytes([code or 0]))
    os._exit(0)


def ask(path, arguments):
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg([os.fsencode("\0".join([os.getcwd(), *arguments]))],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    return (server.recv(1) or b"\xff")[0]


if len(sys.argv) == 2:
    serve(sys.argv[1])
else:
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
