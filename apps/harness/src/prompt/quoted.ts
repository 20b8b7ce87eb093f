import { quoted } from '#libs/protocol';

export { quoted };

/** A name that came from the hive: as it is when it has the shape of one, else quoted. */
export function nameOf(name: string): string {
  return /^[a-z0-9*][a-z0-9:-]{0,64}$/.test(name) ? name : quoted(name, 64);
}
