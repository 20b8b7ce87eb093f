import type { McpDoor } from '../doors/mcp.door.js';
import { nextBody, type Pair, type Rate } from '../loads.js';

/** Names of one `send`, and messages of one `recv_batch` at most. */
const LIST = 32;

/**
 * Messages per second from agent to agent through MCP, each `send` to a list of 32 and each receipt by
 * `recv_batch(32)`: every one of 32 senders writes to each of 32 receivers, who take what came until they have it all.
 */
export async function listsPerSecond(
  door: McpDoor,
  pairs: readonly Pair[],
  ms: number,
): Promise<Rate> {
  const group = pairs.slice(0, LIST);
  const receivers = group.map(([, receiver]) => receiver);
  let messages = 0;
  const start = performance.now();
  do {
    const received = receivers.map(async (agent) => {
      for (let have = 0; have < group.length;) have += await door.receiveBatch(agent, LIST);
    });
    await Promise.all(group.map(([sender]) => door.sendToAll(sender, receivers, nextBody())));
    await Promise.all(received);
    messages += group.length * receivers.length;
  } while (performance.now() - start < ms);
  return { perSecond: (messages * 1000) / (performance.now() - start), messages };
}
