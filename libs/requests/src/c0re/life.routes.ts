import {
  PurgeRequest,
  ReviveRequest,
  StateFileQuery,
  WaitingOperationsQuery,
} from './requests.dto.js';
import { CREDENTIAL, NAME, OPERATOR_PEERS, read, verb, type C0reRoute } from './route.js';

/** Requests about agents' lives beyond start and stop. */
export const LIFE_ROUTES = {
  rebuild: {
    ...verb,
    path: '/v1/agents/:name/rebuild',
    summary:
      'End the agent, make everything that belongs to it anew from what is recorded, and start it',
    checks: [CREDENTIAL, NAME],
  },
  list_tombstones: {
    ...read,
    path: '/v1/tombstones',
    peers: OPERATOR_PEERS,
    summary: 'Destroyed agents whose state is kept, the last destroyed first',
    checks: [],
    query: null,
  },
  revive: {
    ...verb,
    path: '/v1/agents/:name/revive',
    summary: 'Let a destroyed agent live again with its state and a new token',
    checks: [
      CREDENTIAL,
      'there is a tombstone of that name (and `agent_id`), and no living agent of that name',
    ],
    body: ReviveRequest,
  },
  purge: {
    ...verb,
    path: '/v1/agents/:name/purge',
    summary: 'Remove for good what is kept of a destroyed agent; what waits for it is dead',
    checks: [
      CREDENTIAL,
      'there is a tombstone of that name (and `agent_id`)',
      '`confirm` is the name',
      'its folders are moved where only root may enter, and removed folder by folder through open descriptors: no link is followed, no file system is left',
    ],
    body: PurgeRequest,
  },
  restart_all: {
    ...verb,
    path: '/v1/restart-all',
    summary: 'Restart every agent that runs: the manager first, then the others a few at a time',
    checks: [CREDENTIAL],
  },
  update_all: {
    ...verb,
    path: '/v1/update-all',
    summary: 'Rebuild every agent that runs, in the same order',
    checks: [CREDENTIAL],
  },
  self_check: {
    ...read,
    path: '/v1/self-check',
    peers: OPERATOR_PEERS,
    operator: true,
    summary:
      'Compare records with containers, turns with processes, operations with their bounds, now',
    checks: [CREDENTIAL],
    query: null,
  },
  waiting_operations: {
    ...read,
    path: '/v1/operations/waiting',
    peers: ['scheduler'],
    summary: 'Ids of the operations that wait, held up to 20 s until something changes',
    checks: [],
    query: WaitingOperationsQuery,
  },
  run_operation: {
    method: 'POST',
    path: '/v1/operations/:id/run',
    peers: ['scheduler'],
    operator: false,
    audited: false,
    summary: 'Give a recorded operation its turn; answers when it is over, at most after 15 s',
    checks: [
      'the id is that of an operation that c0re recorded itself when somebody who may asked for it; nothing else of it comes from the queue',
      'it runs when it is the oldest that waits, with or without this',
    ],
    body: null,
    query: null,
  },
  read_state_file: {
    ...read,
    path: '/v1/state-file',
    peers: OPERATOR_PEERS,
    operator: true,
    summary: "Read a file of an agent's state folder or of the shared space",
    checks: [
      CREDENTIAL,
      NAME,
      'the path is relative to the state folder or below `/shared/`, with plain names only',
      'each folder is opened in the one before it, never through a link, and on the same file system',
      'the file is pinned before it is looked at, and opened by that pin: regular, readable by everybody, one hard link, not set-id, at most 1 MiB',
    ],
    query: StateFileQuery,
  },
  list_state_files: {
    ...read,
    path: '/v1/state-files',
    peers: OPERATOR_PEERS,
    operator: true,
    summary: 'List a folder there',
    checks: [
      CREDENTIAL,
      NAME,
      'folders as above; nothing in it is followed or opened; at most 1,000 entries',
    ],
    query: StateFileQuery,
  },
} as const satisfies Record<string, C0reRoute>;
