import { C0RE_PEERS, C0RE_ROUTES, type C0reRoute } from '#libs/requests';

/** docs/privileged-surface.md, made from the table that the sockets are made from. */
export function renderPrivilegedSurface(): string {
  const routes = Object.entries<C0reRoute>(C0RE_ROUTES);
  const rows = routes.map(([name, route]) =>
    [
      `\`${route.method} ${route.path}\``,
      name,
      route.peers.length === C0RE_PEERS.length ? 'all' : route.peers.join(', '),
      route.operator ? 'operator' : route.manager ? 'manager' : '–',
      route.audited ? 'yes' : 'no',
      route.summary,
      route.checks.length > 0 ? route.checks.map(capitalized).join('. ') : '–',
    ].join(' | '),
  );
  return `# The privileged surface

Generated from the table of requests (\`libs/requests/src/c0re/routes.ts\`) by \`node dist/apps/c0re/src/surface/write-privileged-surface.js\`; a test fails when this page and the table differ.

c0re is the only process of the hive that runs as root. It has no TCP port. It answers HTTP/1.1 with JSON bodies on one unix socket per peer, \`<runtime>/c0re-<peer>/c0re-<peer>.sock\` (the paths stand in \`run/hive.json\`), and on each socket only the requests that name that peer below; everything else is \`unknown_method\`. The sockets of dashboard, gateway and scheduler are 0660 of that peer's group, the admin socket is 0600.

Every call can be shown with curl, for example as the user who started the hive:

\`\`\`sh
curl --unix-socket "$RUNTIME/c0re-admin/c0re-admin.sock" http://c0re/v1/agents
\`\`\`

On every request c0re checks its shape: unknown fields of body and query are refused (\`unknown_field\`), bodies are at most 256 KiB of UTF-8 JSON (\`too_large\`, \`malformed_json\`), names in paths must be agent names (\`invalid_name\`). Errors are \`{"error": {"code", "message", "details"?}}\`.

"Manager": the request must carry a token of the manager's (\`Authorization: Bearer <token>\`), which c0re checks itself; only the gateway's socket has these requests. "Operator": the request must carry the operator's own credential, which c0re checks itself, whatever the dashboard says: \`Authorization: Bearer <operator token>\`, or \`X-Hive-Session: <page secret>\` with \`X-Hive-Cookie: <session cookie>\` of the same session. A cookie alone is not enough. On the admin socket the caller is the operator by the socket's mode. "Audit": each request, also a refused one, becomes a row of the append-only audit log.

What ends in an operation answers 202 with the operation's row at once, and with \`?wait=1\` when it has ended (200; a failed operation is a row with \`state: "failed"\` and its \`error\`).

| request | name | sockets | who | audit | what it does | what c0re checks |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}
`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
