"""Somebody else's service, in stock Nameko and with nothing of ours: it writes down what it hears."""

import json
import os

from nameko.events import event_handler


class Listener:
    name = "listener"

    @event_handler("comments", "comment_added")
    def write_down(self, event):
        with open(os.environ["HEARD"], "a", encoding="utf-8") as heard:
            heard.write(json.dumps(event) + "\n")
