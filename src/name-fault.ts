/** What a single name may be on a system. */
import { bytesFromName } from './names.js';

/** Device names that Windows keeps in every directory, with any extension (learn.microsoft.com, "Naming Files"). */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i;
const WINDOWS_FORBIDDEN = /[<>:"|?*\\\p{Cc}]/u;

/** Why one name may not be made here, or undefined. */
export function nameFault(name: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform !== 'win32') return bytesFromName(name).length > 255 ? 'longer than 255 bytes' : undefined;
  // Windows counts units of UTF-16.
  if (name.length > 255) return 'longer than 255 characters';
  if (WINDOWS_FORBIDDEN.test(name)) return 'holds a character that Windows does not allow';
  if (/[. ]$/.test(name)) return 'ends in a dot or a space, which Windows drops';
  return WINDOWS_DEVICE.test(name) ? 'a device on Windows' : undefined;
}
