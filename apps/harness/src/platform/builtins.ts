/**
 * Node's own modules whose import evaluates lazy exports that the harness never uses: node:http brings WebSocket and all
 * of fetch (10 MB), node:fs its promises, node:crypto all of WebCrypto. Taken this way, only what is used is loaded; an
 * idle harness must stay under 60 MB.
 */
export const http = process.getBuiltinModule('node:http');
export const crypto = process.getBuiltinModule('node:crypto');
export const fs = process.getBuiltinModule('node:fs');
export const net = process.getBuiltinModule('node:net');
