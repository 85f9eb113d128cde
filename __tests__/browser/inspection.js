/*
 * Runs in the page, before anything else. Counts what is executed, and when all is loaded puts facts about each case in place of
 * the page, in letters that need no escape.
 */
const executed = []
for (const name of ['alert', 'confirm', 'prompt', 'open', 'print']) {
  window[name] = (...args) => void executed.push(`${name}(${args.join(', ')})`)
}

const PRECISELY = ['CODE', 'PRE']

function inspect(section) {
  const end = section.lastElementChild
  const below = [...section.querySelectorAll('*')].filter((element) => element !== end)
  for (const folded of section.querySelectorAll('details')) folded.open = true
  return {
    // Whatever is left open takes the end of its case into itself, or the cases after it.
    isWhole: section.parentElement === document.body && end?.matches('hr.end') === true,
    elements: below.map((element) => element.localName),
    attributes: below.flatMap((element) =>
      [...element.attributes].map(({ name, value }) => `${element.localName} ${name}=${value}`),
    ),
    outline: outlineOf(section),
    prose: texts(section)
      .filter((node) => !PRECISELY.some((name) => node.parentElement.closest(name)))
      .map((node) => node.data)
      .join('\n'),
    text: section.innerText,
    tables: [...section.querySelectorAll('table')].map((table) =>
      [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText)),
    ),
    blocks: [...section.querySelectorAll('pre')].map((block) => ({
      title: block.closest('details')?.querySelector('summary').innerText ?? '',
      text: block.textContent,
    })),
  }
}

/** Elements in one another, code spans left aside: a word may stand in one or not. */
function outlineOf(element) {
  const inside = [...element.children].filter((child) => child.localName !== 'code').map(outlineOf)
  return inside.length === 0 ? element.localName : `${element.localName}(${inside.join(' ')})`
}

function texts(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const found = []
  while (walker.nextNode()) found.push(walker.currentNode)
  return found
}

// Not before a picture that cannot be loaded has said so.
addEventListener('load', () =>
  setTimeout(() => {
    const facts = {
      executed,
      requested: performance.getEntriesByType('resource').map(({ name }) => name),
      strays: [...document.body.childNodes].filter(
        (node) => node.nodeName !== 'SECTION' && node.textContent.trim() !== '',
      ).length,
      cases: [...document.querySelectorAll('section')].map(inspect),
    }
    const answer = document.createElement('pre')
    answer.textContent = encodeURIComponent(JSON.stringify(facts).toWellFormed())
    document.body.replaceChildren(answer)
  }, 500),
)
