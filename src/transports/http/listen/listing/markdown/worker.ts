/** Renders the text that it was started with, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { htmlFromMarkdown } from './markdown.js';

parentPort?.postMessage(htmlFromMarkdown(workerData as string));
