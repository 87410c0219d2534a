// A reporter for Node's test runner: the file and the name of each test that failed, one JSON line each.
export default async function* failedTests(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.details?.type === 'suite') continue;
    const { file, name } = data;
    yield `${JSON.stringify({ file, name, message: data.details?.error?.message })}\n`;
  }
}
