const KEY = 'hive.session';

/**
 * The second secret of the operator's session (P30). The login redirect brings it in the fragment; it moves to the
 * origin's storage at once and the address is cleaned, so that it is neither copied nor kept in the history.
 */
export function takeSessionFromAddress(): void {
  const secret = new URLSearchParams(location.hash.slice(1)).get('session');
  if (!secret) return;
  localStorage.setItem(KEY, secret);
  history.replaceState(null, '', location.pathname + location.search);
}

export function sessionSecret(): string | null {
  return localStorage.getItem(KEY);
}

export function forgetSession(): void {
  localStorage.removeItem(KEY);
}
