// How far two pictures are from each other, in a way that does not depend on how a machine smooths its letters.
import type { Page } from 'playwright-core'

export interface Distance {
  readonly isSameSize: boolean
  /** Of 255, over all cells. */
  readonly mean: number
  /** Of 255, in the cell that differs most. */
  readonly most: number
}

/** Cells of 20 by 20 pixels, each as bright as its pixels together. */
const CELL = 20

/** The browser decodes them; `page` is any page of it that may load data. */
export async function distanceOf(page: Page, one: Buffer, other: Buffer): Promise<Distance> {
  const urls = [one, other].map(png => `data:image/png;base64,${png.toString('base64')}`)
  const distance = await page.evaluate(`(async () => {
    const cells = await Promise.all(${JSON.stringify(urls)}.map(async url => {
      const image = new Image()
      image.src = url
      await image.decode()
      const { width, height } = image
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d')
      context.drawImage(image, 0, 0)
      const { data } = context.getImageData(0, 0, width, height)
      const columns = Math.floor(width / ${CELL})
      const sums = new Float64Array(columns * Math.floor(height / ${CELL}))
      for (let y = 0; y < Math.floor(height / ${CELL}) * ${CELL}; y++)
        for (let x = 0; x < columns * ${CELL}; x++) {
          const at = 4 * (y * width + x)
          sums[Math.floor(y / ${CELL}) * columns + Math.floor(x / ${CELL})] += (data[at] + data[at + 1] + data[at + 2]) / 3
        }
      return { width, height, means: sums.map(sum => sum / ${CELL * CELL}) }
    }))
    const [a, b] = cells
    const isSameSize = a.width === b.width && a.height === b.height
    const differences = isSameSize ? [...a.means].map((mean, index) => Math.abs(mean - b.means[index])) : [255]
    return {
      isSameSize,
      mean: differences.reduce((sum, one) => sum + one, 0) / differences.length,
      most: Math.max(...differences)
    }
  })()`)
  return distance as Distance
}
