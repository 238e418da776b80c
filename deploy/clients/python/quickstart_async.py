"""The feed and a call at the same time, with asyncio: tells of a clinic while it is renamed.

Environment and token as quickstart.py, which runs first.
"""
import asyncio
import os

import rapport_client
from rapport.scheduling.v1 import (directory_pb2, directory_service_pb2, directory_service_pb2_grpc,
                                   events_pb2)
from rapport_client import aio


async def main() -> None:
    async with aio.Client(scheduling=os.environ["RAPPORT_SCHEDULING"],
                          token=rapport_client.from_file(os.environ["RAPPORT_TOKEN_FILE"])) as client:
        clinic = f"{os.environ['RAPPORT_ORGANIZATION']}/clinics/london"
        stub = client.stub(directory_service_pb2_grpc.DirectoryServiceStub)

        async def told() -> int:
            types = [events_pb2.ClinicEvent.DESCRIPTOR.full_name]
            async for response in client.watch("scheduling",
                                               rapport_client.WatchOptions(types=types)):
                for event in response.events:
                    if event.resource == clinic:
                        return event.version
            raise AssertionError("a feed does not end")

        renamed, version = await asyncio.gather(
            stub.UpdateClinic(directory_service_pb2.UpdateClinicRequest(
                clinic=directory_pb2.Clinic(name=clinic, display_name="London, Strand"))), told())
        print(f"clinic {renamed.display_name}")
        print(f"told of version {version}")


if __name__ == "__main__":
    asyncio.run(main())
