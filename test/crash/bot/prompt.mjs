// The messages of a wake prompt, in the shape in which `recv` gives them, as far as the bot needs it.

const BLOCK =
  /^Message \d+ of \d+\n([\s\S]*?)\n\[hive ([0-9a-f]+) body of (m\d+) begins\]\n([\s\S]*?)\n\[hive \2 body of \3 ends\]/gm;

/** Messages with `content`: what the body says as JSON, undefined when it is none of ours. */
export function messagesOf(prompt) {
  return [...prompt.matchAll(BLOCK)].map(([, header, , id, body]) => {
    const lines = new Map(
      header.split('\n').map((line) => {
        const at = line.indexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)];
      }),
    );
    const redelivered = lines.get('redelivered');
    const [kind, event] = (lines.get('kind') ?? 'message').split(' ');
    return withContent({
      id,
      from: lines.get('from')?.split(' ')[0],
      body,
      kind,
      event: event?.replaceAll('"', ''),
      priority: lines.get('priority') ?? 'normal',
      broadcast: lines.has('broadcast'),
      redelivered: redelivered !== undefined,
      attempt: Number(redelivered?.match(/attempt (\d+)/)?.[1] ?? 1),
      question: questionOf(lines),
      reminder: undefined,
    });
  });
}

export function withContent(message) {
  return { ...message, content: contentOf(message.body) };
}

function contentOf(body) {
  try {
    const content = JSON.parse(body);
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
}

/** The hive says so only of a question that waits for an answer: "question q12: … Answer with …". */
function questionOf(lines) {
  for (const [key, text] of lines) {
    const id = /^question (q\d+)$/.exec(key)?.[1];
    if (id !== undefined && text.includes('Answer with')) return { id };
  }
  return undefined;
}
