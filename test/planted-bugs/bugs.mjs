// Bugs that the model test of the protocol must find: each breaks one invariant in a copy of the broker.

/** @type {{ invariant: string, what: string, file: string, from: string, to: string }[]} */
export const BUGS = [
  {
    invariant: 'I1',
    what: 'end(ok) acks whatever the turn held, shown or not',
    file: 'apps/broker/src/turns/turn-ends.service.ts',
    from: 'return (row) => ids.has(row.message);',
    to: 'return () => ids.size >= 0;',
  },
  {
    invariant: 'I2',
    what: 'a delivery counts as redelivered only after a failed turn',
    file: 'apps/broker/src/deliveries/receive.service.ts',
    from: 'const redelivered = row.hand_outs > 1;',
    to: 'const redelivered = row.attempts > 0;',
  },
  {
    invariant: 'I3',
    what: 'an end settles only the first of what the turn held',
    file: 'apps/broker/src/turns/turn-ends.service.ts',
    from: 'for (const row of held) {',
    to: 'for (const row of held.slice(0, 1)) {',
  },
  {
    invariant: 'I4',
    what: "a call is tied to its agent's live turn, whatever run it comes from",
    file: 'apps/broker/src/registry/credentials.service.ts',
    from: 'const agent = turn && this.directory.byId(turn.agent);\n    if (agent && agent.state',
    to: 'const run = this.rows.run(credential); const other = run && this.turns.of(run.agent); if (other && run) return { agent: this.directory.byId(run.agent)!, turn: other };\n    const agent = turn && this.directory.byId(turn.agent);\n    if (agent && agent.state',
  },
  {
    invariant: 'I5',
    what: 'an agent whose run was revoked is never leased to again',
    file: 'apps/broker/src/turns/run-fences.ts',
    from: 'else void this.links.closeRun(credential).then(() => this.lower(agent));',
    to: 'else void this.links.closeRun(credential);',
  },
  {
    invariant: 'I6',
    what: 'the newest of a priority is handed out first',
    file: 'apps/broker/src/deliveries/deliveries.repository.ts',
    from: 'ORDER BY priority, message LIMIT +@limit',
    to: 'ORDER BY priority, message DESC LIMIT +@limit',
  },
  {
    invariant: 'I7',
    what: 'a repeated recv takes new messages',
    file: 'apps/broker/src/deliveries/receive.service.ts',
    from: 'if (repeated) return this.again(repeated, receiver);',
    to: 'if (repeated && params.max === 0) return this.again(repeated, receiver); if (repeated) params = { ...params, request_id: `${params.request_id.slice(0, 24)}f${params.request_id.slice(25)}` };',
  },
  {
    invariant: 'I9',
    what: 'senders are answered before the commit',
    file: 'libs/store/src/group-commit.ts',
    from: "if (this.crashes('beforeCommit')) return true;",
    to: "for (const answer of answers) answer(); if (this.crashes('beforeCommit')) return true;",
  },
  {
    invariant: 'I10',
    what: 'a lost harness counts as a failed attempt',
    file: 'apps/broker/src/turns/turn-ends.service.ts',
    from: "const failed = by === 'harness' && OWN_FAILURES.has(kind);",
    to: 'const failed = OWN_FAILURES.has(kind);',
  },
  {
    invariant: 'I11',
    what: 'a lease lasts half its term',
    file: 'apps/broker/src/turns/lease-times.ts',
    from: 'const TURN_TERM_MS = LIMITS.lease_seconds * 1000;',
    to: 'const TURN_TERM_MS = LIMITS.lease_seconds * 500;',
  },
  {
    invariant: 'I12',
    what: "the hive's limit of live turns is off by one",
    file: 'apps/broker/src/turns/grant-limiter.ts',
    from: 'return Math.min(Math.floor(this.tokens), this.limits.liveTurns - this.turns.size);',
    to: 'return Math.min(Math.floor(this.tokens), this.limits.liveTurns + 1 - this.turns.size);',
  },
];
