/** Shapes that several requests of the harness API share. */
export const TURN_ID = /^t[1-9]\d{0,14}$/;
export const MESSAGE_ID = /^m[1-9]\d{0,14}$/;
export const DELIVERY_ID = /^m[1-9]\d{0,14}\.(0|[1-9]\d{0,14})$/;
export const COMMAND_ID = /^[a-z][1-9]\d{0,14}$/;
export const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Bounds that only keep nonsense out; a real harness stays far below them. */
export const MOST = {
  /** Ids in one list. */
  ids: 10_000,
  /** Ends of former turns in one `hello`. */
  ends: 100,
  /** Characters of a model's name or a revision. */
  name_chars: 200,
  /** Different tools in one turn's breakdown. */
  tools: 1000,
} as const;
