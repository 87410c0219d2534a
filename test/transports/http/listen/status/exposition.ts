/** A strict reader of Prometheus' text format, version 0.0.4. */
import assert from 'node:assert/strict';

export interface Read {
  readonly type: string;
  readonly help: string;
  /** By the name with its labels, as it is written. */
  readonly samples: Map<string, number>;
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(
  `^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{${LABEL}(?:,${LABEL})*\\})? (\\+Inf|-?[0-9.]+(?:e[-+][0-9]+)?)$`,
);

/** The families by name. Fails where a line is not right, a family is split or told twice, or a histogram does not add up. */
export function readExposition(text: string): Map<string, Read> {
  assert.ok(text.endsWith('\n'));
  const families = new Map<string, Read>();
  let name = '';
  const lines = text.slice(0, -1).split('\n');
  for (const [at, line] of lines.entries()) {
    const help = HELP.exec(line);
    if (help) {
      name = help[1] as string;
      const type = TYPE.exec(lines[at + 1] ?? '');
      assert.equal(type?.[1], name, `TYPE after ${line}`);
      assert.ok(!families.has(name), `${name} twice`);
      families.set(name, { type: type?.[2] as string, help: help[2] as string, samples: new Map() });
    } else if (!line.startsWith('#')) {
      const sample = SAMPLE.exec(line);
      assert.ok(sample, line);
      const family = families.get(name) as Read;
      const suffix = (sample[1] as string).slice(name.length);
      assert.ok((sample[1] as string).startsWith(name), line);
      assert.match(suffix, family.type === 'histogram' ? /^_(bucket|sum|count)$/ : /^$/, line);
      const key = `${sample[1]}${sample[2] ?? ''}`;
      assert.ok(!family.samples.has(key), `${key} twice`);
      family.samples.set(key, Number(sample[3]));
    }
  }
  for (const [each, family] of families) checkFamily(each, family);
  return families;
}

function checkFamily(name: string, { type, samples }: Read): void {
  assert.ok(samples.size > 0, `${name} is empty`);
  assert.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`);
  if (type !== 'histogram') return;
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{le="`));
  assert.deepEqual(
    buckets.map(([, count]) => count),
    buckets.map(([, count]) => count).toSorted((a, b) => a - b),
  );
  assert.equal(samples.get(`${name}_bucket{le="+Inf"}`), samples.get(`${name}_count`));
  assert.ok(samples.has(`${name}_sum`));
}
