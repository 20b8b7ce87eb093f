/** Numbers that follow from a seed (mulberry32), so that a run's faults can be had again. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Chosen as often as its weight says. */
  weighted<T extends { weight: number }>(items: readonly T[]): T | undefined {
    const total = items.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.next() * total;
    return items.find(({ weight }) => (left -= weight) < 0);
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    for (let n = rest.length - 1; n > 0; n -= 1) {
      const other = Math.floor(this.next() * (n + 1));
      [rest[n], rest[other]] = [rest[other] as T, rest[n] as T];
    }
    return rest;
  }
}
