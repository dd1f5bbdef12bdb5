/** Dragging a card to another column: by mouse and pen at once, by touch after a rest, so that a finger still scrolls. */

const MIN_DISTANCE = 6; // pixels
const TOUCH_REST = 350; // milliseconds
const EDGE = 48; // pixels from the side, where the board scrolls to columns out of sight
const SCROLL_STEP = 14; // pixels a frame

/**
 * Follow a pointer that was pressed on a card until it is released. Meanwhile the board has the class `dragging`.
 *
 * @param {PointerEvent} down @param {HTMLElement} card @param {HTMLElement} board
 * @param {(status: string) => void} onDrop Called with the status of the column that the card is dropped on.
 */
export function dragCard(down, card, board, onDrop) {
  const [stop, isTouch] = [new AbortController(), down.pointerType === "touch"];
  const origin = card.getBoundingClientRect();
  let at = down;
  /** @type {HTMLElement | null} What follows the pointer. */
  let ghost = null;

  const start = () => {
    ghost = /** @type {HTMLElement} */ (card.cloneNode(true));
    ghost.classList.add("ghost");
    ghost.inert = true;
    ghost.style.width = `${origin.width}px`;
    document.documentElement.append(ghost);
    card.classList.add("dragged");
    board.classList.add("dragging");
    follow();
  };
  /** Return the column under the pointer, which is outlined, and scroll towards those out of sight. */
  const follow = () => {
    if (!ghost) return null;
    ghost.style.transform = `translate(${origin.left + at.clientX - down.clientX}px, ${origin.top + at.clientY - down.clientY}px)`;
    const { left, right } = board.getBoundingClientRect();
    if (at.clientX < left + EDGE) board.scrollLeft -= SCROLL_STEP;
    if (at.clientX > right - EDGE) board.scrollLeft += SCROLL_STEP;
    const under = document.elementFromPoint(at.clientX, at.clientY)?.closest(".column");
    for (const column of board.querySelectorAll(".column")) column.classList.toggle("over", column === under);
    requestAnimationFrame(follow);
    return /** @type {HTMLElement | null | undefined} */ (under);
  };
  /** @param {boolean} isDropped */
  const end = (isDropped) => {
    stop.abort();
    clearTimeout(rest);
    const under = follow();
    if (!ghost) return;
    ghost.remove();
    ghost = null;
    card.classList.remove("dragged");
    board.classList.remove("dragging");
    under?.classList.remove("over");
    addEventListener("click", refuse, { capture: true, once: true }); // the click that ends a drag leads nowhere
    setTimeout(() => removeEventListener("click", refuse, { capture: true }));
    if (isDropped && under?.dataset.status) onDrop(under.dataset.status);
  };
  const rest = isTouch ? setTimeout(start, TOUCH_REST) : undefined;

  const move = (/** @type {PointerEvent} */ event) => {
    at = event;
    if (ghost || Math.hypot(at.clientX - down.clientX, at.clientY - down.clientY) < MIN_DISTANCE) return;
    if (isTouch) end(false);
    else start();
  };
  /** While a finger drags, it neither scrolls nor opens the menu of a link. @param {Event} event */
  const hold = (event) => ghost && refuse(event);
  const press = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (hold(event), end(false));
  /** @type {Record<string, (event: any) => void>} */
  const listeners = {
    ...{ pointermove: move, pointerup: () => end(true), pointercancel: () => end(false) },
    ...{ touchmove: hold, contextmenu: hold, keydown: press },
  };
  for (const [type, listener] of Object.entries(listeners))
    addEventListener(type, listener, { signal: stop.signal, capture: true, passive: false });
}

/** @param {Event} event */
const refuse = (event) => (event.preventDefault(), event.stopPropagation());
