import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { catalogue } from '#lib/claims/catalogue.ts';
import { labPaths } from '#lib/report/page/lab-paths.ts';
import { matrixPage } from '#lib/report/page/matrix.ts';
import { page as render } from '#lib/report/page/page.ts';
import { nasty, redRun, sampleMatrix, sampleRun } from '#lib/report/page/sample.ts';
import { chromiumHere } from './chromium.ts';

const executablePath = chromiumHere();
const where = executablePath ?? 'no Chromium on this machine: install one, or name it with CHROMIUM';
const all = catalogue().claims.length;

describe.skipIf(executablePath === undefined)(`the page in a browser (${where})`, () => {
  let folder: Awaited<ReturnType<typeof temporary>>;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await temporary();
    const more = { sources: catalogue().sources, lab: labPaths(), folder: folder.path };
    const matrix = { shown: sampleMatrix(), folder: join(folder.path, 'matrix') };
    await writeFile(join(folder.path, 'green.html'), render({ report: sampleRun(), ...more }));
    await writeFile(join(folder.path, 'red.html'), render({ report: redRun(), ...more, matrix }));
    await writeFile(join(folder.path, 'matrix.html'), matrixPage(sampleMatrix()));
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }) });
  });

  afterAll(async () => {
    await browser.close();
    await folder[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  /** Opens a page from disk; what the browser complains about, or asks anybody else for, fails the test. */
  async function open(file: string, { width = 1280, dark = false, hash = '' } = {}): Promise<void> {
    page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(`${pathToFileURL(join(folder.path, file)).href}${hash}`);
  }

  const said = async (): Promise<string> => page.locator('#count').innerText();
  const visible = async (selector: string): Promise<number> => page.locator(`${selector}:visible`).count();
  const focused = async (): Promise<string> =>
    page.evaluate("document.activeElement.closest('[data-entry]')?.id ?? document.activeElement.name ?? ''");
  /** What stands out of the window on its right, unless it can be scrolled there by itself. */
  const tooWide = async (): Promise<unknown> =>
    page.evaluate(`[...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.scroll, pre'))
      .map((element) => element.outerHTML.slice(0, 80))`);

  test('opens from disk, shows every claim, and says how the run ended', async () => {
    await open('green.html');
    expect(await page.locator('h1').innerText()).toBe(`All ${String(all)} claims that were looked at hold`);
    expect(await said()).toBe(`${String(all)} claims`);
    expect(await visible('details.claim')).toBe(all);
    expect(await visible('svg.wide .path.proven')).toBe(Object.keys(labPaths().paths).length);
  });

  test('shows what broke, in the picture as well, and what was seen as it was seen', async () => {
    await open('red.html');
    expect(await page.locator('svg.wide .path.failed').count()).toBe(1);
    expect(await page.locator('#path-vm-to-mesh .state').innerText()).toBe('✗ broke');
    const card = page.locator('#wrong .card.broken');
    expect(await card.locator('.reason').innerText()).toBe(nasty);
    expect(await page.locator('img').count()).toBe(0);
  });

  test('a search narrows the claims down to those that have all words, and Esc shows all again', async () => {
    await open('red.html');
    await page.keyboard.press('/');
    expect(await focused()).toBe('q');
    await page.keyboard.type('plaintext STRICT');
    const found = await visible('details.claim');
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(20);
    expect(await said()).toBe(`${String(found)} of ${String(all)} claims`);
    const texts = await page.locator('details.claim:visible').allTextContents();
    expect(texts.filter((text) => !/plaintext/i.test(text) || !/strict/i.test(text))).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await said()).toBe(`${String(all)} claims`);
    expect(await page.locator('[name=q]').inputValue()).toBe('');
  });

  test('a search for what nobody says finds nothing, says so, and can be given up', async () => {
    await open('red.html');
    await page.fill('[name=q]', 'no such words anywhere');
    expect(await said()).toBe(`0 of ${String(all)} claims`);
    expect(await visible('section.suite')).toBe(0);
    await page.click('#nothing button');
    expect(await visible('details.claim')).toBe(all);
  });

  test('filters by verdict, suite, source and layer, alone and together', async () => {
    await open('red.html');
    await page.selectOption('[name=verdict]', 'failed');
    expect(await visible('details.claim')).toBe(1);
    await page.selectOption('[name=suite]', '05-policy');
    expect(await visible('details.claim')).toBe(0);
    await page.selectOption('[name=verdict]', '');
    const inSuite = catalogue().claims.filter(({ suite }) => suite === '05-policy');
    expect(await visible('details.claim')).toBe(inSuite.length);
    expect(await visible('section.suite')).toBe(1);
    await page.selectOption('[name=source]', 'tetrate-vm-lab');
    const ofSource = (claims: typeof inSuite) =>
      claims.filter(({ sources }) => sources.some(({ source }) => source === 'tetrate-vm-lab'));
    expect(await visible('details.claim')).toBe(ofSource(inSuite).length);
    await page.click('#filters > button.clear');
    await page.selectOption('[name=layer]', 'workload');
    expect(await visible('details.claim')).toBe(
      catalogue().claims.filter(({ suite }) => suite === '03-vm').length,
    );
  });

  test('the number of a verdict shows its claims, and all again', async () => {
    await open('red.html');
    const button = page.locator('button[data-show=broken]');
    await button.click();
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('details.claim:visible').getAttribute('id')).toBe('claim-vm.deb-contents');
    await button.click();
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    expect(await visible('details.claim')).toBe(all);
  });

  test('the keyboard does everything: search, go down and up, open and close', async () => {
    await open('red.html');
    await page.keyboard.press('/');
    await page.keyboard.type('traffic.vm-to-mesh.');
    await page.keyboard.press('ArrowDown');
    const first = await focused();
    await page.keyboard.press('ArrowDown');
    const second = await focused();
    expect(second).not.toBe(first);
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toBe(first);
    const opened = page.locator(`[id="${first}"][open]`);
    await page.keyboard.press('Enter');
    expect(await opened.count()).toBe(1);
    await page.keyboard.press('Enter');
    expect(await opened.count()).toBe(0);
  });

  test('Enter in the search opens the first claim that fits, and what has the focus can be seen', async () => {
    await open('red.html');
    await page.keyboard.press('/');
    await page.keyboard.type('vm.hosts-file');
    await page.keyboard.press('Enter');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(await page.locator(`[id="${await focused()}"][open]`).count()).toBe(1);
    expect(outline).toBe('solid');
  });

  test('every way to a claim opens it, even one that a filter hides', async () => {
    await open('red.html', { hash: '#claim-vm.hosts-file' });
    expect(await page.locator('[id="claim-vm.hosts-file"][open]').count()).toBe(1);
    await page.fill('[name=q]', 'cluster.version');
    await page.locator('#wrong .card.failed h3 a').click();
    const claim = page.locator('[id="claim-traffic.vm-to-mesh.hello"][open]');
    expect(await claim.isVisible()).toBe(true);
    expect(await claim.locator('pre.seen').innerText()).toBe(`503 ${nasty}`);
    expect(await focused()).toBe('claim-traffic.vm-to-mesh.hello');
  });

  test('the comparison of versions narrows down like a list of claims', async () => {
    await open('matrix.html');
    expect(await visible('tr[data-entry]')).toBe(all);
    await page.selectOption('[name=differs]', 'yes');
    expect(await visible('tr[data-entry]')).toBe(1);
    const cells = page.locator('tr[data-entry]:visible td');
    expect((await cells.allInnerTexts()).map((text) => text.trim())).toEqual([
      '✓passed',
      '✗failed',
      '✓passed',
    ]);
    await page.keyboard.press('Escape');
    expect(await visible('tr[data-entry]')).toBe(all);
  });

  test.each(['green.html', 'red.html', 'matrix.html'])(
    '%s fits into a window of 360 pixels',
    async (file) => {
      await open(file, { width: 360 });
      if (file !== 'matrix.html') {
        expect(await visible('svg.wide')).toBe(0);
        expect(await visible('svg.tall')).toBe(1);
      }
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      expect(await tooWide()).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    },
  );

  test.each([false, true])('all text can be told from what is behind it (dark: %s)', async (dark) => {
    await open('red.html', { dark });
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    expect(await page.evaluate(lowContrast)).toEqual([]);
  });

  test('without scripts everything is there', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    await page.goto(pathToFileURL(join(folder.path, 'red.html')).href);
    expect(await visible('details.claim')).toBe(all);
    await page.locator('[id="claim-vm.hosts-file"] > summary').click();
    expect(await page.locator('[id="claim-vm.hosts-file"] dl').isVisible()).toBe(true);
  });

  test('on paper there is nothing to click, and the picture', async () => {
    await open('red.html', { width: 700 });
    await page.emulateMedia({ media: 'print' });
    expect(await visible('#filters')).toBe(0);
    expect(await visible('nav')).toBe(0);
    expect(await visible('svg.wide')).toBe(1);
    expect(await visible('#wrong .card')).toBe(3);
  });
});

/** Runs in the page: the texts with less contrast than WCAG 2 AA asks of small text, by what they are. */
const lowContrast = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = rgb(colour).slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (rgb(backgroundColor)[3] === 255) return backgroundColor;
    }
    return 'white';
  };
  const found = new Set();
  for (const element of document.body.querySelectorAll('*:not(svg *, script)')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.add(element.tagName + '.' + element.className);
  }
  return [...found];
})()`;
