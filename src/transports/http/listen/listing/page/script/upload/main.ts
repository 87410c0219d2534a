/** The script of a page that takes files, beside the one that each page has. */
import { addUploads } from './uploads.js';

document.addEventListener('DOMContentLoaded', addUploads);
