// The company's colour, changed as far as it takes to be read on a light and on a dark page.

const DEFAULT = "#17655c";
// AA asks for 4.5; a text may stand on a tinted ground.
const ENOUGH = 5.6;
const PAGES = { light: [255, 255, 255], dark: [21, 23, 26] };
const BLACK = [20, 20, 20];
const WHITE = [255, 255, 255];

function parsed(colour) {
  const found = /^#([0-9a-f]{6})$/i.exec(colour ?? "") ?? /^#([0-9a-f]{6})$/i.exec(DEFAULT);
  return [0, 2, 4].map((place) => parseInt(found[1].slice(place, place + 2), 16));
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Return the contrast of two colours, from 1 to 21, as WCAG measures it. */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Return a colour that is mixed with another one until it can be read on a page. */
function readable(colour, page, towards) {
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = colour.map((part, place) => Math.round(part + (towards[place] - part) * share));
    if (contrast(mixed, page) >= ENOUGH) return mixed;
  }
  return towards;
}

const css = (colour) => `rgb(${colour.join(" ")})`;

/** Give an element the company's colours as CSS variables, and return those of its icon. */
export function paint(element, accent) {
  const colour = parsed(accent);
  const ink = contrast(colour, WHITE) >= ENOUGH ? WHITE : BLACK;
  // Neither white nor black may be readable on a colour of middling light.
  const fill = readable(colour, ink, ink === WHITE ? BLACK : WHITE);
  const colours = {
    "--fill": css(fill),
    "--on-fill": css(ink),
    "--accent-light": css(readable(colour, PAGES.light, BLACK)),
    "--accent-dark": css(readable(colour, PAGES.dark, WHITE)),
  };
  for (const [name, value] of Object.entries(colours)) element.style.setProperty(name, value);
  return { accent: css(fill), ink: css(ink) };
}
