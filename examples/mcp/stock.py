"""A server of tools written with the official Python SDK. It speaks on standard input and output."""

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

STOCK = {"pens": 12, "cups": 3}

server = MCPServer("stock")


@server.tool(title="How many are in stock", annotations=ToolAnnotations(readOnlyHint=True))
def count(question: str) -> str:
    """Counts how many of a product are in stock."""
    for product, number in STOCK.items():
        if product in question.lower():
            return f"There are {number} {product} in stock."
    raise ToolError("There is no such product.")


if __name__ == "__main__":
    server.run()
