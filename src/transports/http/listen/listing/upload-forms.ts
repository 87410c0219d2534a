/** What puts files into a folder from its page: forms that work as they are, and that a script makes comfortable. */
import type { UploadOptions } from '../upload/options.js';

export function uploadForms({ manage, mostFileBytes, mostFiles }: UploadOptions): string {
  const most = mostFileBytes === undefined ? '' : ` data-most="${mostFileBytes}"`;
  const one = mostFiles === 1;
  return `
<section id="upload" aria-label="Upload"${most}${one ? ' data-one' : ''}>
<form id="upload-files" method="post" enctype="multipart/form-data">
<label>Files <input type="file" name="file"${one ? '' : ' multiple'} required></label>
<button class="button">Upload</button></form>
<form id="make-folder" method="post"><input type="hidden" name="action" value="folder">
<label>New folder <input name="name" required maxlength="255" autocomplete="off"></label>
<button class="button">Make</button></form>${manage ? MANAGE_FORM : ''}
</section>
`;
}

/** With a script each row has its own. */
const MANAGE_FORM = `
<form id="manage" method="post">
<label>Name <input name="name" required maxlength="255" autocomplete="off"></label>
<label>New name <input name="to" maxlength="255" autocomplete="off"></label>
<button class="button" name="action" value="rename">Rename</button>
<button class="button" name="action" value="remove">Delete</button></form>`;
