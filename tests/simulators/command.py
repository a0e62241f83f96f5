"""What the simulators have in common as commands."""

import argparse
import sys
import threading
import time

from .control import serve_control


def parser(module, description, user):
    """The options of every simulator; `user` is the one it knows unless told otherwise."""
    options = argparse.ArgumentParser(prog=f"simulators.{module}", description=description.split("\n")[0])
    options.add_argument("--bind", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    options.add_argument("--user", action="append", metavar="NAME:PASSWORD", help=f"default {user}")
    options.add_argument("--cert", help="PEM; with --key: HTTPS")
    options.add_argument("--key")
    options.add_argument("--client-ca", help="ask for client certificates of this CA")
    options.add_argument("--control-port", type=int, help="opens the control endpoint; 0 picks a free port")
    return options


def object_option(options):
    options.add_argument("--object", action="append", metavar="HOST[;SERVICE]", help="default: every object is known")


def users(args):
    return dict(user.split(":", 1) for user in args.user) if args.user else None


def objects(args):
    return [tuple((name + ";").split(";")[:2]) for name in args.object] if args.object else None


def listener(args):
    return {"host": args.bind, "port": args.port, "cert": args.cert, "key": args.key, "client_ca": args.client_ca}


def serve(simulator, args, announced=False):
    """Until it is interrupted; `announced`: a line for each result of its journal."""
    simulator.start()
    print(f"listening on {simulator.url}", flush=True)
    if args.control_port is not None:
        control = serve_control(simulator, args.control_port)
        print(f"control on http://127.0.0.1:{control.server_port}", flush=True)
    if announced:
        threading.Thread(target=_announce, args=(simulator,), daemon=True).start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.exit(0)


def _announce(simulator):
    told = 0
    while True:
        simulator.wait(lambda: len(simulator.journal) > told, timeout=3600)
        for item in simulator.journal[told:]:
            stamp = time.strftime("%H:%M:%S", time.localtime(item.received))
            print(f"{stamp} {item.host};{item.service} {item.code} {item.output}", flush=True)
            told += 1
