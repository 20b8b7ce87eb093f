import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A fresh secret of 32 random bytes, in characters that fit a URL, a header and a file. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** sha-256 (hex): all that is stored of a secret. Ours are random, so a plain hash cannot be guessed back. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two hashes in the same time wherever they differ. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}
