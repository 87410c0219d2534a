/** A transfer as a person sees it: how far it is, how fast, how long it will take, and what can be done about it. */
import { readableSize } from '../../../amounts.js';
import { iconButton, labelled, make } from '../make.js';
import type { Transfer } from './transfer.js';

/** Of the rate: what is older than that counts a third. */
const RATE_MS = 2000;
const DRAW_EVERY_MS = 200;

export interface Actions {
  readonly onResume: () => void;
  readonly onGone: () => void;
}

export class TransferView {
  readonly element: HTMLLIElement;
  readonly #transfer: Transfer;
  readonly #bar: HTMLProgressElement;
  readonly #text = make('span', { className: 'how' });
  readonly #pause: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  #bytesPerSecond = 0;
  #sampleMs = 0;
  #sampleBytes = 0;
  #drawnMs = 0;
  #drawnState = '';

  constructor(transfer: Transfer, { onResume, onGone }: Actions) {
    this.#transfer = transfer;
    const { name, file } = transfer;
    this.#bar = labelled(make('progress', { max: Math.max(1, file.size), value: 0 }), `Progress of ${name}`);
    this.#pause = iconButton('', `Pause ${name}`, () => {
      if (transfer.state === 'sending' || transfer.state === 'lost' || transfer.state === 'waiting') transfer.pause();
      else onResume();
    });
    this.#cancel = iconButton('', `Cancel ${name}`, () => {
      if (transfer.state !== 'done') transfer.cancel();
      onGone();
      this.element.remove();
    });
    this.#cancel.classList.add('cancel');
    for (const button of [this.#pause, this.#cancel]) button.removeAttribute('id');
    const title = make('span', { className: 'name', textContent: name });
    this.element = make('li', {}, title, this.#text, this.#pause, this.#cancel, this.#bar);
    this.draw();
  }

  draw(): void {
    const { state, sent, file } = this.#transfer;
    const nowMs = performance.now();
    if (state === this.#drawnState && nowMs - this.#drawnMs < DRAW_EVERY_MS) return;
    this.#sample(nowMs, sent);
    this.#drawnMs = nowMs;
    this.#drawnState = state;
    this.element.className = state;
    this.#bar.value = file.size === 0 && state === 'done' ? 1 : sent;
    this.#text.textContent = this.#words();
    const again = state === 'paused' || state === 'failed';
    this.#pause.className = `icon button ${again ? 'resume' : 'pause'}`;
    this.#pause.title = `${again ? 'Go on with' : 'Pause'} ${this.#transfer.name}`;
    labelled(this.#pause, this.#pause.title);
    this.#pause.hidden = state === 'done';
    if (state === 'done')
      labelled(this.#cancel, `Take ${this.#transfer.name} off this list`).title = 'Take off this list';
  }

  #sample(nowMs: number, sent: number): void {
    const { state } = this.#transfer;
    const tookMs = nowMs - this.#sampleMs;
    if (state !== 'sending' || this.#sampleMs === 0) this.#bytesPerSecond = 0;
    else {
      const rate = Math.max(0, ((sent - this.#sampleBytes) / tookMs) * 1000);
      const old = this.#bytesPerSecond === 0 ? 0 : Math.exp(-tookMs / RATE_MS);
      this.#bytesPerSecond = this.#bytesPerSecond * old + rate * (1 - old);
    }
    this.#sampleMs = nowMs;
    this.#sampleBytes = sent;
  }

  #words(): string {
    const { state, sent, file, reason } = this.#transfer;
    const amount = `${readableSize(sent)} of ${readableSize(file.size)}`;
    switch (state) {
      case 'waiting':
        return 'Waiting';
      case 'done':
        return `Done · ${readableSize(file.size)}`;
      case 'paused':
        return `Paused · ${amount}`;
      case 'failed':
        return reason;
      case 'lost':
        return `${reason} · ${amount}`;
      default:
        return [amount, ...this.#pace(file.size - sent)].join(' · ');
    }
  }

  #pace(leftBytes: number): string[] {
    if (this.#bytesPerSecond < 1) return [];
    return [
      `${readableSize(Math.round(this.#bytesPerSecond))}/s`,
      `${timeText(leftBytes / this.#bytesPerSecond)} left`,
    ];
  }
}

function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
