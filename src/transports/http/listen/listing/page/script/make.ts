/** Elements, with their properties and what they hold. */

/** A new element. Text is only ever text: nothing here makes markup of it. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The element, with a name for whoever does not see it. */
export function labelled<Type extends Element>(element: Type, label: string): Type {
  element.setAttribute('aria-label', label);
  return element;
}

/** A button that shows an icon, and says what it does to whoever does not see it. */
export function iconButton(id: string, label: string, onclick: () => void): HTMLButtonElement {
  return labelled(make('button', { id, type: 'button', className: 'icon button', title: label, onclick }), label);
}

/** The element that the page is known to have. */
export function part<Type extends HTMLElement = HTMLElement>(id: string): Type {
  return document.getElementById(id) as Type;
}
