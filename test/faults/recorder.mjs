// A scripted agent of the fault tests: writes down every message it is shown, with fsync, before it answers it.
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** How long the work on one message takes: long enough to be killed in the middle of it. */
const WORK_MS = 60;

const prompt = readFileSync(0, 'utf8');
const shown = [
  ...prompt.matchAll(
    /^id: (m\d+)\n([\s\S]*?)\[hive [0-9a-f]+ body of \1 begins\]\n([\s\S]*?)\n\[hive/gm,
  ),
].map(([, id, header, body]) => ({
  id,
  body,
  redelivered: header.includes('\nredelivered: yes') || header.startsWith('redelivered: yes'),
}));

const journal = path.join(process.env.HIVE_STATE_DIR, 'journal.jsonl');
function note(message) {
  const file = openSync(journal, 'a');
  writeSync(file, `${JSON.stringify({ ...message, turn: process.env.HIVE_TURN_ID })}\n`);
  fsyncSync(file);
  closeSync(file);
}

const client = new Client({ name: 'recorder', version: '1' });
const transport = new StreamableHTTPClientTransport(new URL('/mcp', process.env.HIVE_GATEWAY_URL), {
  requestInit: {
    headers: {
      authorization: `Bearer ${readFileSync(process.env.HIVE_TOKEN_FILE, 'utf8').trim()}`,
    },
  },
});
try {
  for (const message of shown) note(message);
  await client.connect(transport);
  const more = await client.callTool({ name: 'recv_batch', arguments: { max: 8 } });
  if (more.isError) throw new Error(JSON.stringify(more.content));
  for (const message of more.structuredContent.messages) {
    const entry = { id: message.id, body: message.body, redelivered: message.redelivered };
    note(entry);
    shown.push(entry);
  }
  for (const { id, body } of shown) {
    await new Promise((resolve) => {
      setTimeout(resolve, WORK_MS);
    });
    const sent = await client.callTool({
      name: 'send',
      arguments: { to: 'operator', body: `seen ${body}`, in_reply_to: id },
    });
    if (sent.isError) throw new Error(JSON.stringify(sent.content));
  }
  await client.close();
} catch (error) {
  appendFileSync(
    path.join(process.env.HIVE_STATE_DIR, 'errors.log'),
    `${process.env.HIVE_TURN_ID} ${error.message}\n`,
  );
  process.exit(1);
}
