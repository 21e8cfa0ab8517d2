/** Calls for the tests. */

const CALL = {
  call_id: "1",
  placed_at: "2026-11-24T12:00:00Z",
  status: "answered",
  phase: "ended",
  direction: "inbound",
  talk_seconds: 30,
  answered_at: "2026-11-24T12:00:10Z",
  caller: { address: "+380501112233" },
  callee: { address: "101" },
  answered_by: null,
  rung: [],
  comment: null,
  recording: { state: "none" },
  price: { state: "priced" },
};

export const entry = (changes = {}) => ({ ...CALL, ...changes });
