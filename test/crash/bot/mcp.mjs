// The least of an MCP client that the bot needs: the SDK's takes longer to load than a turn takes.
import { Agent, request } from 'node:http';

/** A service that is being restarted is waited for this long, in milliseconds; then the turn fails. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 250;
/** An answer that does not come within this time is given up, in milliseconds: the gateway may be stopped. */
const SILENCE_MS = 20_000;
/** Refusals that pass by themselves. */
const PASSING = new Set(['unavailable', 'outcome_unknown', 'cancelled', 'too_many_sessions']);
/** Refusals after which nothing of this turn has an effect. */
const OVER = new Set(['superseded', 'unauthorized']);

/** A tool, or the door, said no. */
export class Refused extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }

  get isOver() {
    return OVER.has(this.code);
  }
}

/** It is not known whether the call was carried out. */
export class Unknown extends Error {}

export class Tools {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #session;
  #id = 0;

  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  /**
   * The result of a tool. One that may be repeated is repeated until it is answered; any other is given up when the call
   * may have been carried out. Throws Refused or Unknown.
   */
  async call(name, input, repeatable) {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      let sent = false;
      try {
        await this.#open();
        sent = true;
        return await this.#callOnce(name, input);
      } catch (error) {
        const passes = !(error instanceof Refused) || PASSING.has(error.code);
        if (!passes) throw error;
        const isKnown = error instanceof Refused && error.code === 'unavailable';
        if (sent && !isKnown && !repeatable) throw new Unknown(error.message);
        if (Date.now() > until) throw error;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, AGAIN_MS);
      });
    }
  }

  async end() {
    if (this.#session === undefined) return;
    await this.#http('DELETE').catch(() => {});
    this.#agent.destroy();
  }

  async #open() {
    if (this.#session !== undefined) return;
    const { headers } = await this.#rpc('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'crash-test', version: '1' },
    });
    this.#session = headers['mcp-session-id'];
  }

  async #callOnce(name, input) {
    const { answer } = await this.#rpc('tools/call', { name, arguments: input });
    if (answer.error) throw new Refused(`rpc_${answer.error.code}`, answer.error.message);
    const { isError, content, structuredContent, _meta: meta } = answer.result;
    if (!isError) return structuredContent;
    throw new Refused(meta?.['hyperhive/error']?.code ?? 'refused', content[0]?.text ?? '');
  }

  async #rpc(method, params) {
    const id = ++this.#id;
    const { status, headers, text } = await this.#http(
      'POST',
      JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    );
    if (status === 200) {
      const data = text.match(/^data: (\{.*\})$/m)?.[1] ?? text;
      return { headers, answer: JSON.parse(data) };
    }
    // The session is gone with the gateway that had it.
    if (status === 404 || status === 400) this.#session = undefined;
    if (status === 404 || status >= 500) throw new Error(`HTTP ${status}: ${text.slice(0, 200)}`);
    throw new Refused(codeOf(text, status), text.slice(0, 300));
  }

  #http(method, body) {
    return new Promise((resolve, reject) => {
      const call = request(
        this.url,
        {
          method,
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${this.token}`,
            accept: 'application/json, text/event-stream',
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
            ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode, headers: response.headers, text }),
          );
          response.on('error', reject);
        },
      );
      call.setTimeout(SILENCE_MS, () => call.destroy(new Error('no answer')));
      call.on('error', reject);
      call.end(body);
    });
  }
}

function codeOf(text, status) {
  try {
    return JSON.parse(text).error.code;
  } catch {
    return `http_${status}`;
  }
}
