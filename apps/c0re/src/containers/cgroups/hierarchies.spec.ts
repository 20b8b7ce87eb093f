import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { parseHierarchies } from './hierarchies.js';

const HYBRID = `25 20 0:21 / /sys rw - sysfs sysfs rw
30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/pids rw shared:5 - cgroup cgroup rw,pids
34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`;
const UNIFIED = '30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate';

describe(verifies('4.2') + 'the cgroups of a machine', () => {
  it('are read where version 1 and 2 lie beside each other', () => {
    const { unified, unifiedControllers, legacy } = parseHierarchies(HYBRID, () => '\n');
    expect(unified).toBe('/sys/fs/cgroup/unified');
    expect(unifiedControllers).toEqual([]);
    expect(legacy.get('cpu')).toBe('/sys/fs/cgroup/cpu,cpuacct');
    expect(legacy.get('memory')).toBe('/sys/fs/cgroup/memory');
    expect(legacy.get('pids')).toBe('/sys/fs/cgroup/pids');
  });

  it('are read where there is only version 2, and where there are none', () => {
    const hierarchies = parseHierarchies(UNIFIED, (mountPoint) => {
      expect(mountPoint).toBe('/sys/fs/cgroup');
      return 'cpuset cpu io memory pids\n';
    });
    expect(hierarchies.unifiedControllers).toEqual(['cpuset', 'cpu', 'io', 'memory', 'pids']);
    expect(hierarchies.legacy.size).toBe(0);
    expect(parseHierarchies('', () => '').unified).toBeUndefined();
  });
});
