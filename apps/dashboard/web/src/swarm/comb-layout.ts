/** A cell's place in the comb: centre in drawing units. */
export interface Place {
  x: number;
  y: number;
}

/** Distance from a cell's centre to its corners, and the air between two cells. */
export const CELL = 30;
const AIR = 3.5;

const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [0, -1],
  [1, -1],
] as const;

/** Which cells of the first ring few agents take, so that they stand evenly: top left is 0, then clockwise. */
const EVEN_FIRST_RINGS: readonly (readonly number[])[] = [
  [],
  [2],
  [5, 2],
  [0, 2, 4],
  [0, 1, 3, 4],
  [0, 1, 2, 3, 4],
];

/**
 * A comb of `taken` cells around the first one, and `empty` further ones around those. The taken ones fill ring after
 * ring.
 */
export function comb(taken: number, empty: number): { taken: Place[]; empty: Place[] } {
  const all = rings(Math.max(taken, FIRST_RING) + empty);
  const even = EVEN_FIRST_RINGS[taken - 1];
  if (!even) return { taken: all.slice(0, taken), empty: all.slice(taken) };
  const places = new Set([0, ...even.map((at) => at + 1)]);
  return {
    taken: [...places].map((at) => all[at] as Place),
    empty: all.filter((_, at) => !places.has(at)),
  };
}
const FIRST_RING = 7;

/** The first `count` cells, ring by ring. */
function rings(count: number): Place[] {
  const places: Place[] = [];
  const put = (q: number, r: number): void => {
    const step = CELL + AIR / Math.sqrt(3);
    places.push({ x: Math.sqrt(3) * step * (q + r / 2), y: 1.5 * step * r });
  };
  put(0, 0);
  for (let ring = 1; places.length < count; ring += 1) {
    let q = 0;
    let r = -ring;
    for (const [dq, dr] of DIRECTIONS) {
      for (let at = 0; at < ring && places.length < count; at += 1) {
        put(q, r);
        q += dq;
        r += dr;
      }
    }
  }
  return places.slice(0, count);
}

/** The outline of a cell around (x, y). */
export function hexPath(radius: number, x = 0, y = 0): string {
  const corners = Array.from({ length: 6 }, (_, at) => {
    const angle = (Math.PI / 3) * at - Math.PI / 2;
    const [cx, cy] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    return `${cx.toFixed(2)} ${cy.toFixed(2)}`;
  });
  return `M${corners.join('L')}Z`;
}

/** The `viewBox` that holds all places with a margin, in the middle of at least `least`. */
export function combView(
  places: readonly Place[],
  least: { width: number; height: number },
): string {
  const margin = CELL + 10;
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const width = Math.max(least.width, right - left + 2 * margin);
  const height = Math.max(least.height, bottom - top + 2 * margin);
  return `${(left + right - width) / 2} ${(top + bottom - height) / 2} ${width} ${height}`;
}
