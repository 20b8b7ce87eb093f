/** `value` as YAML for people to read; every line is right YAML, and long texts stand as blocks. */
export function yamlText(value: object, indent = ''): string {
  return Object.entries(value)
    .map(([key, entry]) => `${indent}${keyText(key)}:${entryText(entry, indent)}`)
    .join('\n');
}

const PLAIN_KEY = /^[A-Za-z_][\w.-]*$/;
const PLAIN_TEXT = /^[A-Za-z/][\w ./@+-]*[\w/]$/;
const WORDS_OF_YAML = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off']);

function keyText(key: string): string {
  return PLAIN_KEY.test(key) ? key : JSON.stringify(key);
}

function entryText(entry: unknown, indent: string): string {
  if (Array.isArray(entry)) {
    if (entry.length === 0) return ' []';
    return entry.map((item) => `\n${indent}  - ${scalarText(item)}`).join('');
  }
  if (typeof entry === 'object' && entry !== null) {
    return Object.keys(entry).length === 0 ? ' {}' : `\n${yamlText(entry, `${indent}  `)}`;
  }
  if (typeof entry === 'string' && entry.includes('\n')) {
    const lines = entry.replace(/\n$/, '').split('\n');
    const mark = entry.endsWith('\n') ? '|' : '|-';
    return ` ${mark}\n${lines.map((line) => (line ? `${indent}  ${line}` : '')).join('\n')}`;
  }
  return ` ${scalarText(entry)}`;
}

function scalarText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'null';
  const plain = PLAIN_TEXT.test(value) && !WORDS_OF_YAML.has(value.toLowerCase());
  return plain ? value : JSON.stringify(value);
}
