"""What an exchange answers to who asks what lives."""

from datetime import timedelta

from shared.feeds.asterisk.stream import AmiStream


class Living:
    """The channels that live by what was said so far."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[str, str]] = {}
        self._now = 0.0

    def hear(self, words: bytes) -> None:
        for event in AmiStream().feed(words):
            self._now = max(self._now, float(event.get("timestamp") or 0))
            name, uniqueid = event.get("event"), event.get("uniqueid", "")
            if name == "Newchannel" and event.get("linkedid"):
                self._channels[uniqueid] = dict(event)
            elif name == "Hangup":
                self._channels.pop(uniqueid, None)
            elif channel := self._channels.get(uniqueid):
                channel |= {key: event[key] for key in ("channelstate", "linkedid", "newname") if key in event}
                if name in ("BridgeEnter", "BridgeLeave"):
                    channel["bridgeid"] = event["bridgeuniqueid"] if name == "BridgeEnter" else ""

    def listed(self) -> bytes:
        lines = ["Response: Success\r\nCoreStartupDate: 2026-11-22\r\nCoreStartupTime: 18:56:40\r\n"]
        lines += ["Response: Success\r\nEventList: start\r\nMessage: Channels will follow\r\n"]
        for uniqueid, channel in self._channels.items():
            created = int(uniqueid.rpartition("-")[2].partition(".")[0])
            fields = {
                "Event": "CoreShowChannel",
                "Channel": channel.get("newname") or channel["channel"],
                "Uniqueid": uniqueid,
                "Linkedid": channel["linkedid"],
                "ChannelState": channel["channelstate"],
                "CallerIDNum": channel["calleridnum"],
                "CallerIDName": channel["calleridname"],
                "Exten": channel["exten"],
                "BridgeId": channel.get("bridgeid", ""),
                "Duration": str(timedelta(seconds=int(self._now - created))).zfill(8),
            }
            lines.append("".join(f"{key}: {value}\r\n" for key, value in fields.items()))
        lines.append(f"Event: CoreShowChannelsComplete\r\nListItems: {len(self._channels)}\r\n")
        return "".join(f"{line}\r\n" for line in lines).encode()
