/** How much of a long listing a browser lays out at once: what it takes for a table grows with all its rows. */

/** Rows that the page shows before it is asked for more. The listener puts those after them into a body of their own. */
export const ROWS_SHOWN = 1000;
