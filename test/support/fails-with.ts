/** For `assert.rejects` and `assert.throws`: an XferError with this code, and a message that matches. */
import assert from 'node:assert/strict';
import { type ErrorCode, XferError } from '#xfer/errors.js';

export function failsWith(code: ErrorCode, text = /./): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof XferError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  };
}
