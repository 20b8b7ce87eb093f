/** A message in a wake prompt. */
export interface PromptMessage {
  id: string;
  from: string;
  body: string;
  redelivered: boolean;
}

const FENCED =
  /^Message \d+ of \d+\n([\s\S]*?)^\[hive ([0-9a-f]{8,}) body of (m\d+) begins\]\n([\s\S]*?)\n?^\[hive \2 body of \3 ends\]$/gm;

/**
 * The messages of a wake prompt as the harness writes it: header lines, then the body between two lines with a nonce.
 * Empty for a prompt of another shape, which is then shown as it is.
 */
export function promptMessages(prompt: string): PromptMessage[] {
  return [...prompt.matchAll(FENCED)].map(([, header = '', , id = '', body = '']) => ({
    id,
    from: /^from: "?([^\s"]+)/m.exec(header)?.[1] ?? '?',
    body,
    redelivered: /^redelivered: yes/m.test(header),
  }));
}

/** The hint on what else waits, or undefined. */
export function promptHint(prompt: string): string | undefined {
  return /^\(\+\d+ more queued[^\n]*\)$/m.exec(prompt)?.[0];
}
