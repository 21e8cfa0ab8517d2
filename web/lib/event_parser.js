/** Server-sent events, parsed from text that arrives in parts. */

/** @typedef {{ id: string, name: string, data: string }} ServerEvent */

export class EventParser {
  rest = "";

  /**
   * The events that are complete with this part.
   * @param {string} text
   */
  push(text) {
    const blocks = (this.rest + text).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(parseEvent);
  }
}

/**
 * @param {string} block
 * @returns {ServerEvent}
 */
function parseEvent(block) {
  const event = { id: "", name: "", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === "id") event.id = value;
    if (field === "event") event.name = value;
    if (field === "data") event.data += value;
  }
  return event;
}
